ALTER TABLE `items` ADD `image_source_url` text;
ALTER TABLE `thread_candidates` ADD `image_source_url` text;
