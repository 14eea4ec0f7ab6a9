ALTER TABLE `setup_items` ADD `classification` text DEFAULT 'base' NOT NULL;
