ALTER TABLE `thread_candidates` ADD `sort_order` real DEFAULT 0 NOT NULL;
ALTER TABLE `thread_candidates` ADD `pros` text;
ALTER TABLE `thread_candidates` ADD `cons` text;
