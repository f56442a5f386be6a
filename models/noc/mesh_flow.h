// SPDX-License-Identifier: Apache-2.0
// Flits through the mesh: wormhole switching, XY routing, finite input buffers with credits. Exact to the
// flit, but computed per packet and router: flits that follow each other without a gap are one run, and runs
// go through a router by the equations of README.md. Free of any simulation kernel; the caller returns each
// head at its time.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/base/token.h"
#include "models/noc/noc.h"
#include "models/noc/topology.h"

namespace bitline::noc {

/// Times of consecutive flits, one clock cycle apart within a run.
class Train {
 public:
  struct Run {
    base::Time first;
    std::int64_t flits = 0;
  };
  [[nodiscard]] bool empty() const { return front_ == runs_.size(); }
  [[nodiscard]] const Run& front() const { return runs_[front_]; }
  void append(base::Time first, std::int64_t flits, base::Time cycle);
  void drop(std::int64_t flits, base::Time cycle);  ///< at most those of front()
  void clear();

 private:
  // A vector keeps its memory from packet to packet, and trains are short.
  std::vector<Run> runs_;
  std::size_t front_ = 0;  ///< runs before it are gone
};

struct Packet {
  base::Token token;
  int from_router = 0;
  int from_port = 0;  ///< where it enters the mesh: a tile's port or the chip link's
  int to_router = 0;
  int to_port = 0;
  std::int64_t flits = 0;
};

class MeshFlow {
 public:
  struct Hop;
  /// A packet's head that asks for an output port of `router`. Those of one time are taken in this order.
  struct Head {
    base::Token token;
    int router = 0;
    Hop* hop = nullptr;
    friend auto operator<=>(const Head& a, const Head& b) {
      return a.token == b.token ? a.router <=> b.router : a.token <=> b.token;
    }
    friend bool operator==(const Head& a, const Head& b) { return (a <=> b) == 0; }
  };
  class Client {
   public:
    virtual ~Client() = default;
    /// head_due(at, head) is to be called when all heads of time `at` are known, in order of (at, head).
    virtual void head_at(base::Time at, const Head& head) = 0;
    /// The last flit leaves the mesh at `end`, `waited` later than through empty routers.
    virtual void delivered(const base::Token& token, base::Time end, base::Time waited) = 0;
    /// A packet's flits leave `router` by `port` one after another from `start` to `end`.
    virtual void passed(const base::Token& token, int router, int port, base::Time start, base::Time end) = 0;
  };
  struct LinkUse {
    base::Time busy;    ///< a cycle per flit
    base::Time waited;  ///< heads and flits at the router until they could leave
    std::int64_t packets = 0;
    std::int64_t waits = 0;  ///< packets that did not leave at once and without a gap
  };

  MeshFlow(const NocParams& params, const Topology& topology, Client& client);
  ~MeshFlow();
  MeshFlow(const MeshFlow&) = delete;
  MeshFlow& operator=(const MeshFlow&) = delete;

  /// `packet` is offered to its port at `at`. Packets of a port enter one after another, in order of time.
  void inject(base::Time at, const Packet& packet);
  void head_due(base::Time at, const Head& head);

  [[nodiscard]] std::vector<LinkUse> links() const;  ///< [router * ports + port]
  [[nodiscard]] std::int64_t flits_sent() const { return sent_; }
  [[nodiscard]] std::int64_t flits_delivered() const { return delivered_; }

 private:
  /// A buffer in front of a router (or, without `feeder`, what waits to enter the mesh): packets in order.
  struct Link;
  struct Input {
    std::deque<Hop*> packets;
    base::Time free;         ///< when the last packet's tail had left it
    Link* feeder = nullptr;  ///< the link whose flits it holds
  };
  struct Link {
    std::deque<Hop*> waiting;  ///< the first has the link
    base::Time free;
    Train credits;  ///< when each next place of `buffer` is free; links that leave the mesh: none
    Input buffer;
    LinkUse use;
  };

  Hop& make_hop(const Packet& packet, int router, Input& input);
  void when_first(Hop& hop);  ///< asks for head_due once the head is known to be first in its buffer
  void settle();              ///< all that follows from what is known
  void extend(Hop& hop);
  void emit(Hop& hop, base::Time first, std::int64_t flits);
  void finish(Hop& hop);

  base::Time cycle_;
  base::Time hop_latency_;
  const Topology& topology_;
  Client& client_;
  std::vector<Link> links_;     ///< [router * ports + port]
  std::vector<Input> sources_;  ///< the same, for ports that lead to a tile or the chip link
  std::vector<Hop*> changed_;
  std::vector<std::unique_ptr<Hop>> pool_;
  std::vector<Hop*> unused_;
  std::int64_t sent_ = 0;
  std::int64_t delivered_ = 0;
};

}  // namespace bitline::noc
