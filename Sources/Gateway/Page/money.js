// Amounts are whole numbers of a currency's minor unit. Between people and numbers they are digits in a text, never
// floating point.

/** Decimals of the currencies that have not 2 (ISO 4217, list one). Browsers know what is usual instead. */
const EXPONENTS = new Map([
  ...["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"].map(
    (code) => [code, 0],
  ),
  ...["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map((code) => [code, 3]),
  ...["CLF", "UYW"].map((code) => [code, 4]),
]);

/** The largest amount of the API: 2^53 - 1. */
export const AMOUNT_MAX = Number.MAX_SAFE_INTEGER;

/** How many decimals the amounts of a currency have. */
export function exponentOf(currency) {
  return EXPONENTS.get(currency) ?? 2;
}

/** What is wrong with an amount, in words. */
export class AmountError extends Error {}

/**
 * The minor units of a decimal number such as `12.5`, `12,50` or `1 200`.
 *
 * Point and comma are both decimal, so neither may set off thousands: `1,200` would be one rouble here and a thousand
 * there. Throws an AmountError.
 */
export function parseAmount(text, currency) {
  const digits = text.replace(/[\s'’_]/gu, "");
  if (digits === "") throw new AmountError("Enter an amount.");
  const exponent = exponentOf(currency);
  const parts = /^(\d*)(?:[.,](\d*))?$/.exec(digits);
  if (!parts || parts[1] + (parts[2] ?? "") === "") {
    throw new AmountError(`Enter a number such as ${example(exponent)}, without separators for thousands.`);
  }
  const [, whole, fraction = ""] = parts;
  if (fraction.length > exponent) throw new AmountError(tooManyDecimals(currency, exponent));
  const minor = BigInt(whole + fraction.padEnd(exponent, "0"));
  if (minor === 0n) throw new AmountError("Enter an amount above zero.");
  if (minor > BigInt(AMOUNT_MAX)) throw new AmountError(`Enter ${formatAmount(AMOUNT_MAX, currency)} or less.`);
  return Number(minor);
}

/** Minor units as a decimal number with a point and all its decimals. */
export function decimalText(minor, currency) {
  const exponent = exponentOf(currency);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const sign = minor < 0 ? "-" : "";
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

const formats = new Map();

/** Minor units as the reader's language writes them, with the currency; `signed` adds a plus. */
export function formatAmount(minor, currency, { signed = false } = {}) {
  const key = `${currency} ${signed}`;
  if (!formats.has(key)) {
    const decimals = exponentOf(currency);
    formats.set(
      key,
      new Intl.NumberFormat(undefined, {
        style: "currency",
        currency,
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
        signDisplay: signed ? "exceptZero" : "auto",
      }),
    );
  }
  // A text keeps all its digits, which a number may not.
  return formats.get(key).format(decimalText(minor, currency)).replace("-", "−");
}

function example(exponent) {
  return exponent === 0 ? "250" : `12.${"50".padEnd(exponent, "0").slice(0, exponent)}`;
}

function tooManyDecimals(currency, exponent) {
  const decimals = exponent === 0 ? `${currency} has no decimals` : `${currency} has ${exponent} decimals at most`;
  return `${decimals}. Enter a number such as ${example(exponent)}, without separators for thousands.`;
}
