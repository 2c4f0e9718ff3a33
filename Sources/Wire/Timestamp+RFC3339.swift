extension Timestamp: CustomStringConvertible, LosslessStringConvertible {
  /// The years that RFC 3339 can write: 0000-01-01T00:00:00Z up to the last microsecond of 9999.
  public static let writable =
    Timestamp(
      microseconds: -62_167_219_200_000_000)...Timestamp(
      microseconds: 253_402_300_799_999_999)

  /// Reads a moment as RFC 3339 section 5.6 writes it, such as `2026-11-20T14:50:00.25Z`; nil for anything else.
  ///
  /// Strict: `T` and `Z` in upper case, a real calendar date, at most 6 digits of a second's fraction (nothing is
  /// rounded away silently), an offset of at most 23:59, no leap second.
  public init?(_ text: some StringProtocol) {
    let parsed = text.utf8.withContiguousStorageIfAvailable { Timestamp(utf8: $0.span) }
    guard let timestamp = parsed ?? Timestamp(utf8: Array(text.utf8).span) else { return nil }
    self = timestamp
  }

  /// Reads the same from UTF-8 bytes.
  public init?(utf8 text: Span<UInt8>) {
    guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"),
      text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
      let year = number(text, 0, digits: 4), let month = number(text, 5, digits: 2, in: 1...12),
      let day = number(text, 8, digits: 2, in: 1...31), day <= daysOf(month: month, year: year),
      let hour = number(text, 11, digits: 2, in: 0...23), let minute = number(text, 14, digits: 2, in: 0...59),
      let second = number(text, 17, digits: 2, in: 0...59)
    else { return nil }
    var index = 19
    guard let fraction = readFraction(text, &index), let offset = readOffset(text, &index), index == text.count
    else { return nil }
    let seconds = (days(year: year, month: month, day: day) * 24 + hour) * 3600 + minute * 60 + second - offset * 60
    self.init(microseconds: Int64(seconds * 1_000_000 + fraction))
    guard Timestamp.writable.contains(self) else { return nil }
  }

  /// The moment as RFC 3339 text in UTC, with no, three or six digits of fraction: the fewest that lose nothing.
  ///
  /// A moment outside ``writable`` is written as the nearest moment inside.
  public var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the bytes of ``description``, at most 27.
  public func appendText(to bytes: inout [UInt8]) {
    let clamped = min(max(self, Timestamp.writable.lowerBound), Timestamp.writable.upperBound).microseconds
    let (day, time) = floorDivide(Int(clamped), by: 86_400_000_000)
    let date = civilDate(day)
    let (seconds, fraction) = time.quotientAndRemainder(dividingBy: 1_000_000)
    bytes.append(addingCapacity: 27) { output in
      write(date.year, digits: 4, to: &output)
      output.append(UInt8(ascii: "-"))
      write(date.month, digits: 2, to: &output)
      output.append(UInt8(ascii: "-"))
      write(date.day, digits: 2, to: &output)
      output.append(UInt8(ascii: "T"))
      write(seconds / 3600, digits: 2, to: &output)
      output.append(UInt8(ascii: ":"))
      write(seconds / 60 % 60, digits: 2, to: &output)
      output.append(UInt8(ascii: ":"))
      write(seconds % 60, digits: 2, to: &output)
      if fraction != 0 {
        output.append(UInt8(ascii: "."))
        let milliseconds = fraction % 1000 == 0
        write(milliseconds ? fraction / 1000 : fraction, digits: milliseconds ? 3 : 6, to: &output)
      }
      output.append(UInt8(ascii: "Z"))
    }
  }
}

/// The number made of so many decimal digits; nil when there are others, or it is out of range.
private func number(_ text: Span<UInt8>, _ start: Int, digits: Int, in range: ClosedRange<Int> = 0...9999) -> Int? {
  guard start + digits <= text.count else { return nil }
  var value = 0
  for index in start..<start + digits {
    let digit = text[index] &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    value = value * 10 + Int(digit)
  }
  return range.contains(value) ? value : nil
}

/// Reads `.` and one to six digits, if they are there, as microseconds.
private func readFraction(_ text: Span<UInt8>, _ index: inout Int) -> Int? {
  guard index < text.count, text[index] == UInt8(ascii: ".") else { return 0 }
  index += 1
  var (value, digits) = (0, 0)
  while index < text.count, text[index] &- UInt8(ascii: "0") < 10 {
    value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
    digits += 1
    index += 1
    guard digits <= 6 else { return nil }
  }
  guard digits > 0 else { return nil }
  for _ in digits..<6 { value *= 10 }
  return value
}

/// Reads `Z` or `+hh:mm` or `-hh:mm`, as minutes east of UTC.
private func readOffset(_ text: Span<UInt8>, _ index: inout Int) -> Int? {
  guard index < text.count else { return nil }
  let sign = text[index]
  index += 1
  if sign == UInt8(ascii: "Z") { return 0 }
  guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), index + 5 <= text.count,
    let hours = number(text, index, digits: 2, in: 0...23), text[index + 2] == UInt8(ascii: ":"),
    let minutes = number(text, index + 3, digits: 2, in: 0...59)
  else { return nil }
  index += 5
  return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
}

private func daysOf(month: Int, year: Int) -> Int {
  switch month {
  case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  case 4, 6, 9, 11: 30
  default: 31
  }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Counts in eras of 400 years (146,097 days) that begin on the first of March, so that a leap day ends its year.
private func days(year: Int, month: Int, day: Int) -> Int {
  let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, by: 400)
  let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The date of the Gregorian calendar so many days after 1970-01-01: the inverse of ``days(year:month:day:)``.
private func civilDate(_ days: Int) -> (year: Int, month: Int, day: Int) {
  let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}

/// Division that rounds down, so that the remainder is never negative.
private func floorDivide(_ value: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}

/// Appends the lowest decimal digits, at most six, of a number that is not negative.
private func write(_ value: Int, digits: Int, to output: inout OutputSpan<UInt8>) {
  let value = UInt32(truncatingIfNeeded: value)
  if digits > 4 {
    output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 100_000 % 10))
    output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10_000 % 10))
  }
  if digits > 3 { output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 1000 % 10)) }
  if digits > 2 { output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 100 % 10)) }
  output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10 % 10))
  output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
}
