import { runFolders } from '../support/run-folder.js'

await runFolders('keyring')
