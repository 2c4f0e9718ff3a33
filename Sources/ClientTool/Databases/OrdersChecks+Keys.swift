internal import Postgres
internal import Wire

extension OrdersChecks {
  /// Keys whose order there is not, or not so.
  static func missing(_ orders: [KeptResponse]) -> Statement {
    Statement(
      """
      SELECT key, format('is answered with order %s, and there is none of user %s for %s', kept.id, kept.user_id,
        kept.amount)
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[]) AS kept (key, id, user_id, amount)
        -- Each by its key: OFFSET keeps the server from reading all orders instead, for every page of keys.
        LEFT JOIN LATERAL (SELECT user_id, amount FROM orders WHERE orders.id = kept.id OFFSET 0) AS found ON true
      WHERE (found.user_id = kept.user_id AND found.amount = kept.amount) IS NOT TRUE
      """, orders.map(\.key), orders.map(\.id), orders.map(\.userID), orders.map(\.amount))
  }
}
