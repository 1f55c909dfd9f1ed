DROP TABLE account_challenge;
DROP TABLE account_passkey;
DELETE FROM account_link WHERE kind NOT IN ('invite', 'reset');
ALTER TABLE account_link DROP COLUMN mail;
ALTER TABLE account DROP COLUMN mail_confirmed_at;
DROP TABLE message;
