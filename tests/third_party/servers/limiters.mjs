// Rate limiters from npm, each behind a route of its own, on one port: PORT.
//
// The glue only mounts them, mostly with their defaults: five requests in four seconds. Fastify's run on ports of their
// own behind this one, so that one address serves all.
import http from 'node:http'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import Fastify from 'fastify'
import fastifyRateLimit from '@fastify/rate-limit'
import { RateLimiterMemory } from 'rate-limiter-flexible'

const quota = 5
const seconds = 4
const app = express()
const fine = (request, response) => response.json({ ok: true })

const express_ = options => rateLimit({ windowMs: seconds * 1000, limit: quota, ...options })
app.get('/express/default', express_({}), fine)
for (const draft of ['draft-6', 'draft-7', 'draft-8']) {
  app.get(`/express/${draft}`, express_({ standardHeaders: draft, legacyHeaders: false }), fine)
}
app.get('/express/no-headers', express_({ standardHeaders: false, legacyHeaders: false }), fine)
const message = { error: { type: 'rate_limit', message: 'slow down' } }
app.get('/express/json', express_({ standardHeaders: 'draft-7', message }), fine)
app.get('/express/failed-are-free', express_({ skipFailedRequests: true }), (request, response) => {
  response.status(500).json({})
})

// The shortest example of the project's documentation: nothing but the status.
const bare = new RateLimiterMemory({ points: quota, duration: seconds })
app.get('/flexible/bare', async (request, response) => {
  try {
    await bare.consume('all')
    fine(request, response)
  } catch {
    response.status(429).send('Too Many Requests')
  }
})

// The header fields as the project's documentation computes them: milliseconds divided by 1000, and a Date.
const described = new RateLimiterMemory({ points: quota, duration: seconds })
app.get('/flexible/headers', async (request, response) => {
  const tell = told => response.set({
    'Retry-After': told.msBeforeNext / 1000,
    'X-RateLimit-Limit': quota,
    'X-RateLimit-Remaining': told.remainingPoints,
    'X-RateLimit-Reset': new Date(Date.now() + told.msBeforeNext),
  })
  try {
    await described.consume('all')
    fine(request, response)
  } catch (told) {
    tell(told).status(429).send('Too Many Requests')
  }
})

// Whoever exceeds the limit is blocked for longer than the window.
const blocking = new RateLimiterMemory({ points: quota, duration: 2, blockDuration: 6 })
app.get('/flexible/block', async (request, response) => {
  try {
    await blocking.consume('all')
    fine(request, response)
  } catch (told) {
    response.set('Retry-After', Math.ceil(told.msBeforeNext / 1000)).status(429).send('Too Many Requests')
  }
})

const fastify = async (options, routes) => {
  const server = Fastify()
  await server.register(fastifyRateLimit, { global: false, ...options })
  for (const [path, limit] of Object.entries(routes)) {
    const rate = { max: quota, timeWindow: seconds * 1000, ...limit }
    server.get(path, { config: { rateLimit: rate } }, async () => ({ ok: true }))
  }
  await server.listen({ port: 0, host: '127.0.0.1' })
  return server.server.address().port
}
const plain = await fastify({}, {
  '/fastify/default': {},
  '/fastify/no-retry-after': { addHeaders: { 'retry-after': false } },
  '/fastify/ban': { ban: 2 },
  '/fastify/continue': { continueExceeding: true },
  '/fastify/backoff': { exponentialBackoff: true },
})
const draft = await fastify({ enableDraftSpec: true }, { '/fastify/draft': {} })

app.use('/fastify', (request, response) => {
  const port = request.path === '/draft' ? draft : plain
  const onward = { host: '127.0.0.1', port, method: request.method, path: request.originalUrl, headers: request.headers }
  request.pipe(http.request(onward, answer => {
    response.writeHead(answer.statusCode, answer.rawHeaders)
    answer.pipe(response)
  }).on('error', () => response.destroy()))
})
app.listen(Number(process.argv[2]), '127.0.0.1')
