DROP TABLE embargo;
