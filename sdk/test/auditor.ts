/** What was called, and what the server says: both as `operation project billed+waived`. */
export type Ledger = Map<string, bigint>

export function note(ledger: Ledger, key: string, count: bigint | number = 1): void {
  ledger.set(key, (ledger.get(key) ?? 0n) + BigInt(count))
}

interface Row {
  readonly operation: string | null
  readonly project: string | null
  /** Of calls alone. */
  readonly quantities: readonly { readonly quantity: string; readonly waived: string }[]
}

/** All usage of an account that the server counts, from a day ago on: by operation and project. */
export async function usageOf(url: string, key: string, account: string): Promise<Ledger> {
  const ledger: Ledger = new Map()
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const range = {
    from: new Date(hour - 86_400_000).toISOString(),
    to: new Date(hour + 7_200_000).toISOString(),
  }
  let cursor: string | null = null
  do {
    const query: Record<string, string> = { account, ...range, groupBy: 'operation,project', limit: '1000' }
    if (cursor !== null) query['cursor'] = cursor
    const response = await fetch(`${url}/v1/usage?${new URLSearchParams(query).toString()}`, {
      headers: { authorization: `Bearer ${key}` },
    })
    if (response.status !== 200) throw new Error(`usage: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as { readonly items: readonly Row[]; readonly next: string | null }
    for (const { operation, project, quantities } of page.items) {
      if (operation === null) continue
      const { quantity, waived } = quantities[0]!
      note(ledger, `${operation} ${project ?? ''} billed`, BigInt(quantity))
      note(ledger, `${operation} ${project ?? ''} waived`, BigInt(waived))
    }
    cursor = page.next
  } while (cursor !== null)
  return withoutZeros(ledger)
}

export function withoutZeros(ledger: Ledger): Ledger {
  return new Map([...ledger].filter(([, count]) => count !== 0n).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Calls that were counted, of every kind. */
export function total(ledger: Ledger): bigint {
  return [...ledger.values()].reduce((sum, count) => sum + count, 0n)
}
