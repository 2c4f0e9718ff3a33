internal import Service

extension Metric {
  /// What a feed does for those who follow it.
  static func feed(_ feed: ChangeFeed) -> [Metric] {
    [
      Metric("order_watchers", .gauge, "Streams that tell how orders stand.", Double(feed.count)),
      Metric(
        "order_watcher_lapses_total", .counter,
        "Times that a stream had to be read anew, because it was too slow or something could have been missed.",
        Double(feed.lapses)),
    ]
  }
}
