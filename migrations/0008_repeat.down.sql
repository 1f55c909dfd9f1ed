ALTER TABLE idempotency DROP COLUMN took_effect;
ALTER TABLE idempotency DROP COLUMN request_id;
ALTER TABLE idempotency DROP COLUMN process;
ALTER TABLE idempotency DROP COLUMN claim;
