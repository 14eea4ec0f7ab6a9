ALTER TABLE `items` ADD `quantity` integer DEFAULT 1 NOT NULL;
