ALTER TABLE `thread_candidates` ADD `status` text DEFAULT 'researching' NOT NULL;
