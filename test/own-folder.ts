import { inject } from 'vitest'

// What a test file and its processes take for the temporary folder is a folder of the run: run-folder.ts removes it.
process.env['TMPDIR'] = inject('runFolder')
