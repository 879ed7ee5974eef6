/**
 * ISO 4217 currencies and their minor units: the decimals to which a statement is rounded (ARCHITECTURE.md,
 * rounding number two). A table of ours and not `Intl`, whose figures change with the runtime and differ
 * from ISO 4217 (they are for display).
 *
 * Source: ISO 4217 list one of 2024-06-25 with the amendments up to number 180, in force on 2026-01-01 (XCG
 * for ANG, XAD new, CUC withdrawn, EUR for BGN). Codes without a minor unit (gold XAU, test code XTS, …)
 * are left out: nothing can be paid in them.
 */
const CODES_BY_MINOR_UNITS: readonly (readonly [minorUnits: number, codes: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [
    2,
    `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
     CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
     HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
     MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
     SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
     VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  ],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
]

/** Decimals of the minor unit by code: 2 for USD (cents), 0 for JPY, 3 for KWD. */
export const MINOR_UNITS: ReadonlyMap<string, number> = new Map(
  CODES_BY_MINOR_UNITS.flatMap(([minorUnits, codes]) =>
    codes.split(/\s+/).map((code) => [code, minorUnits] as const),
  ),
)

/** Decimals of the currency's minor unit, or undefined when ISO 4217 has no such currency today. */
export function minorUnitsOf(currency: string): number | undefined {
  return MINOR_UNITS.get(currency)
}
