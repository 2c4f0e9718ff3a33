-- The outbox keeps nothing: an event is sent once, when its transaction was committed, and never again.
-- breaks: forgotten
-- faults: lose requests orders nats, lose requests orders-2 nats, wipe
-- seconds: 12
-- database: orders
CREATE FUNCTION forget_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forget_event BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION forget_event();
