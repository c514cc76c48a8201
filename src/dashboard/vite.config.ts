// How the page is built: into dist/dashboard, with every file also compressed, since a service that polls all day should not
// compress the same bytes for each reader.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const OUT = join(import.meta.dirname, '../../dist/dashboard')

const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  closeBundle() {
    for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(?:js|css|svg|html)$/.test(entry.name)) continue
      const file = join(entry.parentPath, entry.name)
      const content = readFileSync(file)
      writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
      writeFileSync(`${file}.br`, brotliCompressSync(content))
    }
  },
}

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2024',
    // Nothing inline: the policy of the page allows files of its own alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One style sheet: it is small, and no view is drawn before its part of it is there.
    cssCodeSplit: false,
  },
  // While the page is worked on, it asks a service that runs beside it.
  server: { proxy: { '/v1': 'http://127.0.0.1:4180', '/readyz': 'http://127.0.0.1:4180' } },
  plugins: [compressed],
})
