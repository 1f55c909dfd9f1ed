DROP TABLE access_epoch;
DROP TABLE access_group;
DROP TABLE relation_tuple;
