const pattern =
  /^(E(CONN|HOST|NET|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT|ADDR)|ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

/** Whether it is one of Node's codes for a connection that was not made or broke. */
export const isNetworkCode = (code: unknown): boolean => typeof code === 'string' && pattern.test(code)
