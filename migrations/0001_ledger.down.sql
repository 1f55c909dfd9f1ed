DROP TABLE fact;
DROP TABLE version;
-- only: postgres
DROP SEQUENCE ledger_position;
-- all:
DROP TABLE change_set;
