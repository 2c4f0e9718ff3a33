internal import Postgres

/// The SQL on the table `idempotency_keys`, which both databases have. Its rows never change, so they stay in their blocks
/// until the partition that they are in is truncated.
enum IdempotencyKeys {
  /// How many blocks the largest of its partitions has.
  static var countBlocks: Statement {
    Statement(
      """
      SELECT coalesce(max(pg_relation_size(relid)), 0) / current_setting('block_size')::bigint
      FROM pg_partition_tree('idempotency_keys') WHERE isleaf
      """)
  }

  /// The keys in some blocks of each partition, with the first response to each: as they lie, so that what they speak of, which was written at
  /// the same time, lies together as well.
  static func page(_ blocks: Range<Int64>) -> Statement {
    Statement(
      """
      SELECT scope, key, response FROM idempotency_keys
      WHERE ctid >= format('(%s,0)', $1)::tid AND ctid < format('(%s,0)', $2)::tid
      """, blocks.lowerBound, blocks.upperBound)
  }
}
