import { runFolders } from '../support/run-folder.js'

await runFolders('sigv4', 'sigv2')
