DROP TABLE import_mapping;
