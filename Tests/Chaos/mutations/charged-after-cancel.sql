-- Payments does not find that an order was cancelled before it was charged, and charges it.
-- breaks: charge
-- faults: blackhole orders nats, blackhole orders-2 nats
-- seconds: 12
-- database: payments
ALTER TABLE charges DROP CONSTRAINT charges_pkey;
CREATE INDEX charges_by_order ON charges (order_id); -- which is not unique
ALTER TABLE charges ENABLE ROW LEVEL SECURITY;
ALTER TABLE charges FORCE ROW LEVEL SECURITY;
CREATE POLICY takes_all ON charges FOR INSERT WITH CHECK (true);
CREATE POLICY hides_cancelled ON charges FOR SELECT USING (outcome <> 5);
