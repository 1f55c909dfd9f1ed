DROP TABLE record_merged;
DROP TABLE batch_item;
DROP TABLE batch;
