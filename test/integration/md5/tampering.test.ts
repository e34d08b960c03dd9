import t from 'tap'
import { tamperingSuite } from '../tampering-suite.js'

await tamperingSuite(t, 'md5')
