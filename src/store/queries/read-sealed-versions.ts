import type { Query } from '../query.ts'
import type { AccountHourKey } from './find-closed-hours.ts'

/** An account's cycle below `sealedUntil`. `index` is that of its key. */
export interface SealedVersion {
  readonly index: number
  /** The price version with which it was sealed; null: it is open, as history. */
  readonly priceVersion: number | null
}

/**
 * With which price version these account-hours were sealed, or whether they are open as history. One statement, so
 * that an hour that is being settled is seen in one of its states. Only for hours below `sealedUntil`.
 */
export const readSealedVersions: Query<
  readonly AccountHourKey[],
  { index: string; price_version: number | null },
  SealedVersion
> = {
  name: 'read_sealed_versions',
  text: `
    select k.index,
           case when h.hour is not null and h.price_version is null then null
                else coalesce(b.price_version, s.price_version, h.price_version, c.price_version) end as price_version
      from unnest($1::smallint[], $2::text[], $3::int[]) with ordinality as k (bucket, account, hour, index)
      left join history_hour h on h.bucket = k.bucket and h.account = k.account and h.hour = k.hour
      left join bill b on b.hour = k.hour and b.bucket = k.bucket and b.account = k.account
      left join settled_hour s on s.hour = k.hour and s.bucket = k.bucket and s.account = k.account
      left join cycle c on c.hour = k.hour`,
  values: (keys) => [
    keys.map(({ bucket }) => bucket),
    keys.map(({ account }) => account),
    keys.map(({ hour }) => hour),
  ],
  decode: ({ index, price_version }) => ({ index: Number(index) - 1, priceVersion: price_version }),
}
