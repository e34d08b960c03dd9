import { runFolders } from '../support/run-folder.js'

await runFolders('s3', 'http1')
