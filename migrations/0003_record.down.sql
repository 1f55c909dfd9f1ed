DROP TABLE link;
DROP TABLE identifier;
DROP TABLE record;
DROP TABLE record_type;
