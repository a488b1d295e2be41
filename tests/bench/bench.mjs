// What a message costs: Linli, Kannel doing its nearest equivalent, and the floors, in one run.
// Usage: node bench.mjs BUILD_FOLDER [--quick] [--json FILE]. Loopback only; both stores on disk
// with appendfsync always.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { createConnection, createServer } from 'node:net'
import { join, resolve } from 'node:path'

const build = resolve(process.argv[2] ?? 'build')
const quick = process.argv.includes('--quick')
const jsonFile = process.argv.includes('--json') ? process.argv[process.argv.indexOf('--json') + 1] : null
const work = mkdtempSync(join(tmpdir(), 'linli-bench-'))
const ticks = 100 // clock ticks a second, sysconf(_SC_CLK_TCK) on Linux
const children = []
const secret = 'bench-secret'

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => done(port))
  })
})

const opens = (port) => new Promise((done) => {
  const socket = createConnection(port, '127.0.0.1')
  socket.on('connect', () => { socket.destroy(); done(true) })
  socket.on('error', () => done(false))
})

async function until(condition, what, seconds = 20) {
  const end = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s; see ${work}`)
    await new Promise((go) => setImmediate(go))
  }
}

function start(name, command, args) {
  const log = join(work, `${name}.log`)
  writeFileSync(log, '')
  const child = spawn('sh', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', command, ...args], { env: { ...process.env, LOG: log } })
  children.push(child)
  return child
}

const stop = (child, signal = 'SIGTERM') => new Promise((done) => {
  if (child.exitCode !== null || child.signalCode) return done()
  child.once('exit', done)
  child.kill(signal)
})

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticks
}

const rssMb = (pid, row = 'VmHWM') =>
  Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${row}:\\s+(\\d+)`))[1]) / 1024

function load(args) {
  return new Promise((done, fail) => {
    const child = spawn(join(build, 'tests/bench/bench_load'), args.map(String))
    let out = ''
    child.stdout.on('data', (data) => { out += data })
    child.stderr.pipe(process.stderr)
    child.on('exit', () => (out ? done(JSON.parse(out)) : fail(new Error('bench_load said nothing'))))
  })
}

// Runs one load and adds the CPU that each process spent on a message.
async function measured(name, pids, args) {
  const before = Object.fromEntries(Object.entries(pids).map(([k, p]) => [k, cpuSeconds(p)]))
  const result = await load(args)
  const cpu = Object.fromEntries(Object.entries(pids).map(([k, p]) =>
    [k, Math.round(((cpuSeconds(p) - before[k]) * 1e6) / Math.max(result.answered, 1))]))
  const row = { name, ...result, cpu_us: cpu }
  process.stderr.write(`${name}: ${Math.round(row.per_second)}/s, p50 ${row.p50_ms} ms, p99 ${row.p99_ms} ms, ` +
    `CPU µs ${JSON.stringify(cpu)}${row.answered < row.messages ? ` — ONLY ${row.answered} OF ${row.messages} ANSWERED` : ''}\n`)
  return row
}

const redisArgs = (port, folder) => ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '',
  '--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'].map(String)

async function startLinli(sink) {
  const port = await freePort()
  const data = join(work, 'linli')
  mkdirSync(data, { mode: 0o700 })
  execFileSync(join(build, 'bot/run/linli'), ['keygen', join(work, 'linli.key')])
  writeFileSync(join(work, 'linli.yaml'), `data: ${data}
redis: managed
key: ${join(work, 'linli.key')}
listen: 127.0.0.1:${port}
log: warning
channels:
  sms:
    adapter: kannel
    sendsms_url: http://127.0.0.1:${sink}/cgi-bin/sendsms
    username: bench
    password: bench
    secret: ${secret}
    from: "500"
communities:
  lane:
    name: {zh-CN: 测试巷, en: Bench Lane}
    language: en
    zone: UTC
    country: CN
    emergency: ["110"]
    channels: [sms]
    flood: {count: 10000, window: 1m}
    areas: [{id: all, name: {zh-CN: 全部, en: everywhere}, words: [all]}]
    kinds: [{id: errand, name: {zh-CN: 跑腿, en: errand}, words: [errand]}]
`)
  const child = start('linli', join(build, 'bot/run/linli'), ['run', join(work, 'linli.yaml')])
  await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.ok, 'Linli')
  const redis = Number(readFileSync(join(data, 'redis.pid'), 'utf8'))
  return { child, port, pids: { daemon: child.pid, redis } }
}

async function benchLinli() {
  const sink = await freePort()
  const linli = await startLinli(sink)
  const base = ['--hook', `127.0.0.1:${linli.port}`, '--sink', sink, '--target',
    `/hook/sms/mo?secret=${secret}&from=%2B%N&to=500&id=%I&text=help&coding=0&charset=UTF-8`]
  const rows = []
  const run = async (name, ...args) => rows.push(await measured(name, linli.pids, [...base, ...args]))
  await run('warm-up', '--messages', 2000, '--window', 50, '--people', 1000)
  await run('one at a time', '--messages', quick ? 1000 : 5000, '--window', 1, '--connections', 1, '--people', 1000)
  const n = quick ? 20000 : 60000
  await run('flat out, 200 in flight', '--messages', n, '--window', 200, '--people', 10000)
  await run('flat out, 1000 in flight', '--messages', n, '--window', 1000, '--people', 10000, '--connections', 128)
  const full = Math.max(...rows.slice(2).map((row) => row.per_second))
  await run('at half of that', '--messages', Math.round(full * (quick ? 2 : 8)), '--rate', full / 2, '--people', 20000)
  const memory = rssMb(linli.pids.daemon)
  const known = quick ? 50000 : 1000000
  await run(`making ${known} people known`, '--messages', known, '--window', 1000, '--people', known, '--connections', 128)
  await run(`${known} known, 200 in flight`, '--messages', n, '--window', 200, '--people', known, '--first', 8613800000000 )
  const memoryThen = rssMb(linli.pids.daemon, 'VmRSS')
  await stop(linli.child)
  return { rows: rows.slice(1), full, memory_mb: memory, memory_known_mb: memoryThen }
}

async function benchKannel() {
  const [admin, box, smsbox, fake, redisPort, service] = await Promise.all(Array.from({ length: 6 }, freePort))
  const folder = join(work, 'kannel')
  mkdirSync(folder)
  const redis = start('kannel-redis', 'redis-server', redisArgs(redisPort, folder))
  await until(() => opens(redisPort), 'redis-server')
  writeFileSync(join(folder, 'kannel.conf'), `group = core
admin-port = ${admin}
admin-interface = 127.0.0.1
admin-password = bench
smsbox-port = ${box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
log-file = "${folder}/bearerbox.log"
log-level = 3
store-type = redis

group = redis-connection
id = r
host = 127.0.0.1
port = ${redisPort}
database = 0
max-connections = 4

group = store-db
id = r
table = store

group = smsc
smsc = fake
smsc-id = A
port = ${fake}
our-host = 127.0.0.1
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = ${box}
sendsms-port = ${smsbox}
sendsms-interface = 127.0.0.1
log-file = "${folder}/smsbox.log"
log-level = 3

group = sms-service
keyword = default
max-messages = 3
get-url = "http://127.0.0.1:${service}/mo?from=%p&to=%P&text=%a"
`)
  const bearerbox = start('bearerbox', '/usr/sbin/bearerbox', ['-v', '4', join(folder, 'kannel.conf')])
  await until(() => opens(fake), 'bearerbox')
  const smsboxChild = start('smsbox', '/usr/sbin/smsbox', ['-v', '4', join(folder, 'kannel.conf')])
  await until(() => opens(smsbox), 'smsbox')
  await until(async () => /smsbox.*on-line|smsbox:\(none\)|smsbox/.test(
    await (await fetch(`http://127.0.0.1:${admin}/status.txt?password=bench`).catch(() => null))?.text() ?? ''), 'smsbox at bearerbox')
  const pids = { bearerbox: bearerbox.pid, smsbox: smsboxChild.pid, redis: redis.pid }
  const base = ['--fakesmsc', `127.0.0.1:${fake}`, '--sink', service]
  const rows = []
  const run = async (name, ...args) => rows.push(await measured(`Kannel, ${name}`, pids, [...base, ...args]))
  await run('warm-up', '--messages', 500, '--window', 100, '--people', 1000)
  await run('one at a time', '--messages', quick ? 50 : 150, '--window', 1, '--people', 1000)
  await run('200 in flight', '--messages', quick ? 3000 : 10000, '--window', 200, '--people', 10000)
  await run('1000 in flight', '--messages', quick ? 3000 : 10000, '--window', 1000, '--people', 10000)
  const memory = rssMb(bearerbox.pid) + rssMb(smsboxChild.pid)
  for (const child of [smsboxChild, bearerbox, redis]) await stop(child)
  return { rows: rows.slice(1), memory_mb: memory }
}

async function benchFloors() {
  const port = await freePort()
  const http = start('floor-http', join(build, 'tests/bench/bench_floor_http'), [port])
  await until(() => opens(port), 'the bare HTTP server')
  const rows = [await measured('floor: bare HTTP server', { http: http.pid }, ['--hook', `127.0.0.1:${port}`, '--sink', await freePort(),
    '--bare', '--messages', 100000, '--window', 64, '--people', 1000])]
  await stop(http)
  const redisPort = await freePort()
  const folder = join(work, 'floor-redis')
  mkdirSync(folder)
  const redis = start('floor-redis', 'redis-server', redisArgs(redisPort, folder))
  await until(() => opens(redisPort), 'redis-server')
  const cli = (...args) => execFileSync('redis-cli', ['-p', redisPort, ...args].map(String), { encoding: 'utf8' }).trim()
  const script = "if redis.call('SET',KEYS[1]..':seen:'..ARGV[1],'1','NX','EX','60') then redis.call('HSET',KEYS[1]..':state','a',ARGV[2],'b','1','c','2') redis.call('XADD',KEYS[1]..':out','*','p',ARGV[2]) end return 1"
  const sha = cli('SCRIPT', 'LOAD', script)
  for (const [name, ...args] of [['floor: bare Redis script, 1 connection', '-c', 1, '-n', 20000], ['floor: bare Redis script, 50 connections', '-c', 50, '-n', 200000]]) {
    const before = cpuSeconds(redis.pid)
    const out = execFileSync('redis-benchmark', ['-p', redisPort, '--csv', '-r', 1000000000, ...args, 'EVALSHA', sha, 1, '{p}', '__rand_int__', 'x'.repeat(200)].map(String), { encoding: 'utf8' })
    const fields = out.trim().split('\n').at(-1).split('","').map((f) => f.replaceAll('"', ''))
    const n = Number(args[3])
    rows.push({ name, per_second: Number(fields.at(-7) ?? fields[1]), p50_ms: Number(fields.at(-4)), p99_ms: Number(fields.at(-2)), cpu_us: { redis: Math.round(((cpuSeconds(redis.pid) - before) * 1e6) / n) } })
  }
  await stop(redis)
  return { rows }
}

const aim = (ok) => (ok ? 'met' : 'MISSED')

function table(result) {
  const line = (row) => `| ${row.name} | ${Math.round(row.per_second)} | ${row.p50_ms} | ${row.p99_ms} | ` +
    `${Object.entries(row.cpu_us).map(([k, v]) => `${k} ${v}`).join(', ')} |`
  const all = [...result.linli.rows, ...result.kannel.rows, ...result.floors.rows]
  const r = result.ratios
  return ['| | messages/s | p50 ms | p99 ms | CPU µs a message |', '| --- | --: | --: | --: | --- |', ...all.map(line), '',
    '| aim | measured | |', '| --- | --- | --- |',
    `| at least 5 times Kannel's rate | ${r.rate.toFixed(1)} times | ${aim(r.rate >= 5)} |`,
    `| at most 120 µs of daemon CPU a message | ${r.cpu_us} µs | ${aim(r.cpu_us <= 120)} |`,
    `| one at a time: p50 under 2 ms | ${r.p50_ms} ms | ${aim(r.p50_ms < 2)} |`,
    `| half of the full rate: p99 under 10 ms | ${r.p99_half_ms} ms | ${aim(r.p99_half_ms < 10)} |`,
    `| at most 30 MB | ${r.memory_mb.toFixed(1)} MB (${result.linli.memory_known_mb.toFixed(1)} with ${r.known} known) | ${aim(r.memory_mb <= 30)} |`,
    `| cost does not grow with known people | ${r.cpu_us} µs with 10,000, ${r.cpu_known_us} µs with ${r.known} | ${aim(r.cpu_known_us <= r.cpu_us * 1.25)} |`].join('\n')
}

try {
  const linli = await benchLinli()
  const kannel = await benchKannel()
  const floors = await benchFloors()
  const flat = linli.rows[1]
  const last = linli.rows.at(-1)
  const result = {
    date: new Date().toISOString().slice(0, 10), machine: `${cpus().length} × ${cpus()[0].model}`, linli, kannel, floors,
    ratios: {
      rate: linli.full / Math.max(...kannel.rows.map((row) => row.per_second)), cpu_us: flat.cpu_us.daemon,
      p50_ms: linli.rows[0].p50_ms, p99_half_ms: linli.rows[3].p99_ms, memory_mb: linli.memory_mb,
      known: Number(last.name.match(/\d+/)[0]), cpu_known_us: last.cpu_us.daemon,
    },
  }
  if (jsonFile) writeFileSync(jsonFile, JSON.stringify(result, null, 2))
  console.log(`${result.date}, ${result.machine}\n\n${table(result)}\n\n${JSON.stringify(result)}`)
  rmSync(work, { recursive: true, force: true })
} finally {
  await Promise.all(children.map((child) => stop(child, 'SIGKILL')))
}
