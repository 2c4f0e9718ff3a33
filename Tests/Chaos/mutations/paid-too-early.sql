-- A few orders are FINISHED when they are taken, whatever payments says.
-- breaks: early
-- database: orders
CREATE FUNCTION pay_early() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.status := 2;
  RETURN NEW;
END $$;
CREATE TRIGGER pay_early BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.amount % 10 = 0) EXECUTE FUNCTION pay_early();
