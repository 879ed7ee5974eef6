const CHECK_URL = 'Check `url`, which is the address of Farthing without /v1/events, and what is in between.'

/** What to do about a status. */
const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'Give the meter a valid `key`: `farthing keys create` makes one.',
  403: 'Give the meter a `key` with the scope usage:write. If the answer is not that of Farthing, check what is in between.',
  413: 'Raise the limit of what is in between for the body of a request, or lower batchBytes.',
  415: 'Let application/x-ndjson pass what is in between.',
}

export function adviceFor(status: number): string {
  if (BY_STATUS[status]) return BY_STATUS[status]
  if (status === 429 || status === 408 || status >= 500)
    return 'It is busy or being restarted: look at it if this lasts.'
  return CHECK_URL
}

/** What to do when there was no answer, by the code of the system or of TLS. */
export function adviceForNone(code: string | undefined): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'No host has this name: check `url`, and the DNS.'
  if (code !== undefined && /CERT|SIGNATURE|TLS|SSL|EPROTO/.test(code)) {
    return 'The two sides do not agree on TLS: check the certificate, and http or https in `url`.'
  }
  return 'Is it up, and `url` right?'
}
