DROP INDEX session_identity;
ALTER TABLE session DROP COLUMN id_token;
ALTER TABLE session DROP COLUMN provider_session;
ALTER TABLE session DROP COLUMN identity_id;
DROP TABLE provider_role;
DROP TABLE provider_flow;
DROP TABLE account_identity;
