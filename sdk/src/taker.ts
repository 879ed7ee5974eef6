import type { CloudEvent, Content } from './facts.ts'
import { completed, countOf, createFold, type Fold, isFoldable, MINUTE_MS, type Part } from './fold.ts'
import { agree, countOf as shownCount } from './count-of.ts'
import { MeterError } from './meter-error.ts'
import { type Settings, tell } from './options.ts'
import { type Entry, entryOf } from './pending.ts'
import { quietTimer, randomName } from './runtime.ts'
import { Sender } from './sender.ts'
import type { LiveRecord, OpenSpool, SpoolRecord } from './spool.ts'

export interface MeterStats {
  /** Facts that were taken, and those that were dropped because the queue was full. */
  readonly taken: number
  readonly dropped: number
  /** Facts that were taken but are not on disk, because the spool could not write. */
  readonly unspooled: number
  /** Calls that wait for room. */
  readonly waiting: number
  /** Events in memory, those in progress included, and those that are still being counted into. */
  readonly queued: number
  readonly open: number
  /** Events that another process had left, and that are not delivered yet. */
  readonly adopted: number
  /** What the server said of delivered events. */
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
  readonly held: number
  readonly rejected: number
  /** Deliveries that were refused for a reason that only a person can put right. Their events are kept. */
  readonly refused: number
  /** Deliveries that were sent again. */
  readonly retries: number
}

/** How often the folder of the spool is looked through for what others have left. */
export const ADOPT_EVERY_MS = 30_000

const TAKEN = Promise.resolve(true)

interface Waiting {
  readonly content: Content
  readonly make: (newId: string) => CloudEvent
  readonly answer: (isTaken: boolean) => void
}

/** Facts come in here, and are queued, folded, spooled, or refused for want of room. */
export class Taker {
  readonly #settings: Settings
  readonly #run = randomName()
  readonly #sender: Sender
  readonly #fold: Fold
  readonly #spool: OpenSpool | undefined
  #waiting: Waiting[] = []
  #serial = 0
  /** The minute of the clock in which the open parts were opened. */
  #minute = 0
  #clearMinute: (() => void) | undefined
  #adoption: Promise<void> = Promise.resolve()
  #clearAdoption: (() => void) | undefined
  #isClosed = false
  #taken = 0
  #dropped = 0
  #unspooled = 0
  #takenAtFlush = 0
  /** Dropped facts of which a flush has told already. */
  #droppedAtFlush = 0

  constructor(settings: Settings) {
    this.#settings = settings
    this.#fold = createFold(settings.source, this.#run)
    const onTell = (problem: Parameters<typeof tell>[1]) => tell(settings, problem)
    this.#sender = new Sender({
      ...settings,
      tell: onTell,
      settled: (entries) => this.#settled(entries),
    })
    this.#spool = settings.spool?.open({
      run: this.#run,
      url: settings.url,
      live: () => this.#live(),
      trouble: (code, detail) => onTell({ kind: 'spool', code, detail, events: [] }),
    })
    if (this.#spool) this.#adopt(this.#spool)
  }

  /** @param make its event, under an id that is made once */
  take(content: Content, make: Waiting['make']): Promise<boolean> {
    this.#endMinute()
    const part = this.#folds(content) ? this.#fold.find(content) : undefined
    if (part) {
      this.#count(part, content)
      return this.#isTaken()
    }
    if (this.#waiting.length === 0 && this.#hasRoom()) {
      this.#place(content, make)
      return this.#isTaken()
    }
    return this.#full(content, make)
  }

  /** Resolves when everything that was taken or waits, and what was being adopted, is settled. */
  async flush(): Promise<true> {
    this.#takenAtFlush = this.#taken + this.#waiting.length
    const last = this.#waiting.at(-1)
    const drain = () => {
      this.#closeParts()
      return this.#sender.drain(this.#sender.own)
    }
    await Promise.all([drain(), this.#adoption, this.#sender.drain(this.#sender.adopted)])
    if (last === undefined) return true
    while (this.#waiting.includes(last)) await drain()
    // Those that waited have been placed meanwhile.
    await drain()
    return true
  }

  /** The same; but false, at once, at an answer that only a person can put right. */
  flushUnlessRefused(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const forget = this.#sender.onRefusal(() => {
        forget()
        resolve(false)
      })
      this.flush().finally(forget).then(resolve, reject)
    })
  }

  /** Was nothing dropped since this was asked before? */
  wasNothingDropped(): boolean {
    const dropped = this.#dropped - this.#droppedAtFlush
    this.#droppedAtFlush = this.#dropped
    return dropped === 0
  }

  /** Was anything taken since the last flush began? */
  hasNews(): boolean {
    return this.#taken + this.#waiting.length > this.#takenAtFlush
  }

  /** @returns true when nothing is left, and nothing was ever dropped */
  async close(): Promise<boolean> {
    this.#isClosed = true
    this.#closeParts()
    this.#clearAdoption?.()
    this.#sender.stop()
    const waiting = this.#waiting.map(({ make }) => make(this.#newId()))
    this.tellUnsent('before the meter was closed', waiting)
    const { own, adopted } = this.#sender
    const isAll = own.size === 0 && adopted.size === 0 && this.#waiting.length === 0 && this.#dropped === 0
    for (const { answer } of this.#waiting.splice(0)) answer(false)
    await this.#spool?.close()
    return isAll
  }

  /** What is in memory only, at its end. @param when `before the meter was closed` */
  tellUnsent(when: string, waiting: readonly CloudEvent[] = []): void {
    const inMemory = [...this.#sender.own].filter(({ spooledBytes }) => spooledBytes === 0)
    const events = [...inMemory.map(({ event }) => event), ...waiting]
    if (events.length === 0) return
    const [were, are] = agree(events.length, 'was|is', 'were|are').split('|')
    const detail = `${shownCount(events.length, 'event')} ${were} not sent ${when}, and ${are} on no disk.`
    tell(this.#settings, { kind: 'unsent', code: 'sdk/unsent', detail, events })
  }

  stats(): MeterStats {
    const { own, adopted, stats } = this.#sender
    const { counts, refused, retries } = stats
    return {
      taken: this.#taken,
      dropped: this.#dropped,
      unspooled: this.#unspooled,
      waiting: this.#waiting.length,
      queued: own.size,
      open: this.#fold.size(),
      adopted: adopted.size,
      ...counts,
      refused,
      retries,
    }
  }

  /** With a spool a fact is taken when it is on disk. */
  #isTaken(): Promise<boolean> {
    return this.#spool ? this.#spool.durable().then(() => true) : TAKEN
  }

  #folds(content: Content): boolean {
    return this.#settings.aggregate && isFoldable(content)
  }

  /** An open part is an event that will be queued: it has its place already, so that closing it cannot fail. */
  #hasRoom(): boolean {
    return this.#sender.own.size + this.#fold.size() < this.#settings.queueEvents
  }

  #place(content: Content, make: Waiting['make']): void {
    if (this.#folds(content)) {
      if (this.#fold.size() >= this.#settings.aggregateKeys) this.#closeParts()
      this.#count(this.#fold.find(content) ?? this.#open(content), content)
      return
    }
    this.#taken++
    const event = make(this.#newId())
    this.#sender.own.add(entryOf(event, this.#save({ event })))
    this.#sender.wake()
  }

  #open(content: Content): Part {
    if (this.#fold.size() === 0) {
      const now = Date.now()
      this.#minute = Math.floor(now / MINUTE_MS)
      this.#clearMinute?.()
      this.#clearMinute = quietTimer(() => this.#closeParts(), MINUTE_MS - (now % MINUTE_MS))
    }
    return this.#fold.open(content, ++this.#serial)
  }

  #count(part: Part, { data }: Content): void {
    this.#taken++
    const count = countOf(data)
    part.count += count
    const { event } = part
    const record = { part: event.id, count: String(count) }
    // The first record that is on disk says what is counted.
    part.spooledBytes += this.#save(part.spooledBytes === 0 ? { ...record, event } : record)
  }

  /** Facts of another minute than the clock's begin new parts: also when the clock was set back. */
  #endMinute(): void {
    if (this.#fold.size() > 0 && Math.floor(Date.now() / MINUTE_MS) !== this.#minute) this.#closeParts()
  }

  #closeParts(): void {
    this.#clearMinute?.()
    const parts = this.#fold.close()
    let replaced = 0
    for (const { event, count, spooledBytes } of parts) {
      const whole = completed(event, count)
      // On disk with its content before it is sent. If the disk is full, what was counted stays there in its place.
      const bytes = this.#write({ event: whole })
      this.#sender.own.add(entryOf(whole, bytes === 0 ? spooledBytes : bytes))
      if (bytes > 0) replaced += spooledBytes
    }
    // Only now: this may write the file again, with all that is queued or open at that moment.
    if (replaced > 0) this.#spool?.settle(replaced)
    if (parts.length > 0) this.#sender.wake()
  }

  #full(content: Content, make: Waiting['make']): Promise<boolean> {
    // What is open is sent now, so that there is room before its minute ends.
    this.#closeParts()
    const { whenFull, queueEvents } = this.#settings
    const isTooLong = this.#waiting.length >= queueEvents
    if (whenFull === 'wait' && !isTooLong) {
      return new Promise((answer) => this.#waiting.push({ content, make, answer }))
    }
    const detail = `${shownCount(queueEvents, 'fact')} ${agree(queueEvents, 'waits', 'wait')} to be sent`
    if (whenFull === 'throw') {
      throw new MeterError('sdk/queue_full', `${detail}: pass this one again later, or raise queueEvents.`)
    }
    this.#dropped++
    const events = [make(this.#newId())]
    const also = isTooLong && whenFull === 'wait' ? ', and as many calls wait for room' : ''
    tell(this.#settings, {
      kind: 'dropped',
      code: 'sdk/queue_full',
      detail: `${detail}${also}: this one was dropped (${this.#dropped} until now).`,
      events,
    })
    return Promise.resolve(false)
  }

  #settled(entries: readonly Entry[]): void {
    let bytes = 0
    for (const entry of entries) {
      bytes += entry.spooledBytes
      entry.spooledBytes = 0
    }
    if (bytes > 0) this.#spool?.settle(bytes)
    while (this.#waiting.length > 0 && this.#hasRoom()) {
      const { content, make, answer } = this.#waiting.shift()!
      this.#place(content, make)
      void this.#isTaken().then(answer)
    }
    // Those who wait have nothing to wait for but what is open.
    if (this.#waiting.length > 0 && this.#fold.size() > 0) this.#closeParts()
  }

  #newId(): string {
    return `${this.#run}-${++this.#serial}`
  }

  #save(record: SpoolRecord): number {
    const bytes = this.#write(record)
    if (bytes === 0 && this.#spool) this.#unspooled++
    return bytes
  }

  #write(record: SpoolRecord): number {
    return this.#spool?.append(record) ?? 0
  }

  *#live(): Generator<LiveRecord> {
    for (const entry of this.#sender.own) {
      yield { record: { event: entry.event }, saved: (bytes) => void (entry.spooledBytes = bytes) }
    }
    for (const part of this.#fold.parts()) {
      const { event, count } = part
      const record = { part: event.id, count: String(count), event }
      yield { record, saved: (bytes) => void (part.spooledBytes = bytes) }
    }
  }

  /** Takes over what ended processes have left, one file after the other; looks again now and then. */
  #adopt(spool: OpenSpool): void {
    this.#adoption = this.#adoptAll(spool).finally(() => {
      if (this.#isClosed) return
      this.#clearAdoption = quietTimer(() => this.#adopt(spool), ADOPT_EVERY_MS)
    })
  }

  async #adoptAll(spool: OpenSpool): Promise<void> {
    try {
      for (;;) {
        const found = this.#isClosed ? undefined : await spool.adopt()
        if (!found || this.#isClosed) return
        for (const event of found.events) this.#sender.adopted.add(entryOf(event, 0))
        await this.#sender.drain(this.#sender.adopted)
        found.done()
      }
    } catch (error) {
      const detail = `What other processes have left could not be looked through: ${String(error)}.`
      tell(this.#settings, { kind: 'spool', code: 'sdk/spool_unreadable', detail, events: [] })
    }
  }
}
