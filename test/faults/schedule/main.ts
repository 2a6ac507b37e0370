import { scheduleCommand } from './schedule.js';

process.exitCode = await scheduleCommand(process.argv.slice(2));
