-- A few orders are gone as soon as they were taken.
-- breaks: lost
-- database: orders
CREATE FUNCTION lose_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM orders WHERE id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER lose_order AFTER INSERT ON orders FOR EACH ROW WHEN (NEW.amount % 5 = 0) EXECUTE FUNCTION lose_order();
