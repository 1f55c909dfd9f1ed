DROP INDEX token_account;
ALTER TABLE token DROP COLUMN account_id;
DROP TABLE sign_in_try;
DROP TABLE account_recovery;
DROP TABLE account_totp;
DROP TABLE account_link;
DROP TABLE session;
DROP TABLE account;
