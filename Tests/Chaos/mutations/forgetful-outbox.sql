-- The outbox keeps nothing: a question is asked once, when its transaction was committed, and never again.
-- breaks: forgotten
-- faults: lose requests orders nats, lose requests orders-2 nats, wipe
-- seconds: 12
-- database: orders
CREATE FUNCTION forget_question() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forget_question BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION forget_question();
CREATE TRIGGER forget_question BEFORE INSERT ON resends FOR EACH ROW EXECUTE FUNCTION forget_question();
