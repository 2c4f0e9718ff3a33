-- An order that is refunded is written down as FINISHED, as a late answer to its charge would.
-- breaks: cancellation lost
-- database: orders
CREATE FUNCTION overwrite_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.status := 2;
  NEW.finished_at := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER overwrite_status BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.status = 4)
  EXECUTE FUNCTION overwrite_status();
