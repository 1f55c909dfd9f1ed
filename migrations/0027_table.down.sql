DROP TABLE entry_template;
DROP TABLE table_look;
