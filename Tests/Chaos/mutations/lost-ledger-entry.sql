-- A few entries of the ledger are not written, although the balance is.
-- breaks: ledger
-- database: payments
CREATE FUNCTION lose_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER lose_entry BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.amount % 5 = 0) EXECUTE FUNCTION lose_entry();
