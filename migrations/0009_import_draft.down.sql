DROP INDEX import_blob;
DROP TABLE import_draft;
