/** What `instanceof`, and everything else that looks at it, throws at. Immer leaves such objects behind. */
export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
