internal import Postgres
internal import Wire

extension PaymentsChecks {
  /// Keys whose account or deposit there is not, or not so; an account has no amount.
  static func missing(_ responses: [KeptResponse]) -> Statement {
    Statement(
      """
      SELECT key,
        CASE WHEN kept.amount IS NULL THEN format('is answered with the account of %s, and there is none', kept.user_id)
        ELSE format('is answered with deposit %s, and account %s has no entry of it for %s', id, kept.user_id, kept.amount)
        END
      FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[]) AS kept (key, id, user_id, amount)
        LEFT JOIN accounts ON accounts.user_id = kept.user_id
        LEFT JOIN entries ON kind = 1 AND cause = id AND entries.user_id = kept.user_id AND entries.amount = kept.amount
      WHERE accounts.user_id IS NULL OR (kept.amount IS NOT NULL AND cause IS NULL)
      """, responses.map(\.key), responses.map(\.id), responses.map(\.userID), responses.map(\.amount))
  }
}
