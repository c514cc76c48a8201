#!/usr/bin/env bash
# Guessed: every client of server-sent events remembers an `id` that comes without data, since the WHATWG standard says so.
# Is: eventsource 5.1.5, undici 8.13.1 and @microsoft/fetch-event-source 2.0.1 do. eventsource-client 1.2.0 keeps the id of
#     the last event that had data. (WHATWG HTML, 9.2.6: the last event ID is set before an event without data is dropped.)
# Seen on 2026-11-29 with Node 26.10.0.
# Why it matters: a register that follows a narrow selection sends heartbeats with an id, so that a client that reconnects
#     need not have the whole log looked through again. With eventsource-client the log is looked through again.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent \
  eventsource@5.1.5 undici@8.13.1 eventsource-client@1.2.0 @microsoft/fetch-event-source@2.0.1
cat >run.mjs <<'JS'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

// The first connection gets an event with id 1 and an id 2 without data, and ends. The second one tells what is asked for.
async function askedFor(follow) {
  const asked = []
  const server = createServer((request, response) => {
    asked.push(request.headers['last-event-id'] ?? null)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('retry: 50\n\n')
    if (asked.length > 1) return
    response.write('id: 1\ndata: a\n\nid: 2\n\n')
    setTimeout(() => response.end(), 100)
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  const stop = follow(`http://127.0.0.1:${server.address().port}/`)
  for (let waited = 0; asked.length < 2 && waited < 10_000; waited += 20) await sleep(20)
  stop()
  server.closeAllConnections()
  server.close()
  return asked[1]
}

function follows(EventSource) {
  return (url) => {
    const source = new EventSource(url)
    source.onerror = () => {}
    return () => source.close()
  }
}

const { EventSource } = await import('eventsource')
const undici = await import('undici')
const { createEventSource } = await import('eventsource-client')
// It is made for browsers, and asks whether the tab is hidden.
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }
globalThis.window = globalThis
const { fetchEventSource } = await import('@microsoft/fetch-event-source')

const clients = {
  'eventsource 5.1.5': follows(EventSource),
  'undici 8.13.1': follows(undici.EventSource),
  'eventsource-client 1.2.0': (url) => {
    const client = createEventSource({ url, onMessage() {} })
    return () => client.close()
  },
  'fetch-event-source 2.0.1': (url) => {
    const controller = new AbortController()
    const onclose = () => {
      throw new Error('again')
    }
    fetchEventSource(url, { signal: controller.signal, onclose, onerror: () => 50 }).catch(() => {})
    return () => controller.abort()
  },
}
const seen = {}
for (const [name, follow] of Object.entries(clients)) {
  seen[name] = await askedFor(follow)
  console.log(`${name}: Last-Event-ID ${seen[name]}`)
}
const expected = ['2', '2', '1', '2']
process.exit(JSON.stringify(Object.values(seen)) === JSON.stringify(expected) ? 0 : 1)
JS
node --no-warnings run.mjs || { echo 'the behaviour has changed' >&2; exit 1; }
