DROP TABLE label_file;
DROP TABLE number_block;
DROP TABLE number_counter;
