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
        LEFT JOIN orders USING (id)
      WHERE (orders.user_id = kept.user_id AND orders.amount = kept.amount) IS NOT TRUE
      """, orders.map(\.key), orders.map(\.id), orders.map(\.userID), orders.map(\.amount))
  }
}
