// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/order.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>
#include <boost/graph/topological_sort.hpp>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace bitline::graph {

namespace {

using Adjacency = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using Vertex = boost::graph_traits<Adjacency>::vertex_descriptor;

Adjacency adjacency(int count, const std::vector<Precedence>& edges) {
  Adjacency graph(static_cast<std::size_t>(count));
  for (const auto& [from, to] : edges) {
    boost::add_edge(static_cast<Vertex>(from), static_cast<Vertex>(to), graph);
  }
  return graph;
}

/// Keeps the path of the search; the first edge back onto it closes the cycle.
class CycleVisitor : public boost::default_dfs_visitor {
 public:
  CycleVisitor(std::vector<Vertex>& path, std::vector<int>& cycle) : path_(&path), cycle_(&cycle) {}

  void discover_vertex(Vertex vertex, const Adjacency&) { path_->push_back(vertex); }
  void finish_vertex(Vertex, const Adjacency&) { path_->pop_back(); }
  void back_edge(const Adjacency::edge_descriptor& edge, const Adjacency&) {
    if (!cycle_->empty()) return;
    const auto first = std::find(path_->begin(), path_->end(), edge.m_target);
    std::transform(first, path_->end(), std::back_inserter(*cycle_),
                   [](Vertex v) { return static_cast<int>(v); });
  }

 private:
  std::vector<Vertex>* path_;
  std::vector<int>* cycle_;
};

}  // namespace

std::vector<int> topological_order(int count, const std::vector<Precedence>& edges) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (std::all_of(edges.begin(), edges.end(), [](const Precedence& e) { return e.first < e.second; }))
    return order;

  Adjacency graph = adjacency(count, edges);
  std::vector<Vertex> reversed;
  try {
    boost::topological_sort(graph, std::back_inserter(reversed));
  } catch (const boost::not_a_dag&) {
    return {};
  }
  std::transform(reversed.rbegin(), reversed.rend(), order.begin(),
                 [](Vertex v) { return static_cast<int>(v); });
  return order;
}

std::vector<int> find_cycle(int count, const std::vector<Precedence>& edges) {
  std::vector<Vertex> path;
  std::vector<int> cycle;
  boost::depth_first_search(adjacency(count, edges), boost::visitor(CycleVisitor(path, cycle)));
  return cycle;
}

}  // namespace bitline::graph
