DROP TABLE idempotency;
DROP TABLE setup_link;
DROP TABLE token;
