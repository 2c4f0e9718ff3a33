-- An order that is paid is NEW again while its refund is under way.
-- breaks: status
-- seconds: 4
-- database: orders
CREATE FUNCTION forget_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.status := 1;
  RETURN NEW;
END $$;
CREATE TRIGGER forget_status BEFORE UPDATE ON orders FOR EACH ROW
  WHEN (OLD.status = 2 AND NEW.status = 2 AND NEW.cancel_requested_at IS NOT NULL) EXECUTE FUNCTION forget_status();
