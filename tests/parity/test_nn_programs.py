"""Whole programs, written once and run with taeda and with torch: the printed numbers must agree.

Each takes the library as ``torch`` and what users import from it, and returns a list of floats.
"""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import torch as reference

import taeda
import taeda.optim

PROGRAMS = {}


def prog(f):
    PROGRAMS[f.__name__] = f
    return f


@prog
def vae(torch, nn, F, optim):
    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(20, 16)
            self.fc21 = nn.Linear(16, 4)
            self.fc22 = nn.Linear(16, 4)
            self.fc3 = nn.Linear(4, 16)
            self.fc4 = nn.Linear(16, 20)

        def encode(self, x):
            h = F.relu(self.fc1(x))
            return self.fc21(h), self.fc22(h)

        def rep(self, mu, lv):
            std = torch.exp(0.5 * lv)
            eps = torch.randn_like(std)
            return mu + eps * std

        def forward(self, x):
            mu, lv = self.encode(x.view(-1, 20))
            z = self.rep(mu, lv)
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, lv

    m = VAE()
    opt = optim.Adam(m.parameters(), lr=1e-2)
    out = []
    x = torch.rand(32, 20)
    for _ in range(20):
        opt.zero_grad()
        r, mu, lv = m(x)
        loss = F.binary_cross_entropy(r, x.view(-1, 20), reduction="sum") + -0.5 * torch.sum(
            1 + lv - mu.pow(2) - lv.exp()
        )
        loss.backward()
        opt.step()
        out.append(loss.item())
    return out


@prog
def gan(torch, nn, F, optim):
    G = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2, inplace=True), nn.BatchNorm1d(32), nn.Linear(32, 2))
    D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(32, 1), nn.Sigmoid())

    def init(m):
        cn = m.__class__.__name__
        if cn.find("Linear") != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.1)
            nn.init.constant_(m.bias.data, 0)
        elif cn.find("BatchNorm") != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)

    G.apply(init)
    D.apply(init)
    og = optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
    od = optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
    crit = nn.BCELoss()
    out = []
    for _ in range(10):
        real = torch.randn(16, 2) + 3
        D.zero_grad()
        l = torch.full((16,), 1.0)
        e = crit(D(real).view(-1), l)
        e.backward()
        fake = G(torch.randn(16, 8))
        l.fill_(0.0)
        e2 = crit(D(fake.detach()).view(-1), l)
        e2.backward()
        od.step()
        G.zero_grad()
        l.fill_(1.0)
        eg = crit(D(fake).view(-1), l)
        eg.backward()
        og.step()
        out += [e.item(), e2.item(), eg.item()]
    return out


@prog
def attention(torch, nn, F, optim):
    class Head(nn.Module):
        def __init__(self, d, h, T):
            super().__init__()
            self.k = nn.Linear(d, h, bias=False)
            self.q = nn.Linear(d, h, bias=False)
            self.v = nn.Linear(d, h, bias=False)
            self.register_buffer("tril", torch.tril(torch.ones(T, T)))
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            B, T, C = x.shape
            k, q = self.k(x), self.q(x)
            w = q @ k.transpose(-2, -1) * C**-0.5
            w = w.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
            w = self.drop(F.softmax(w, dim=-1))
            return w @ self.v(x)

    class MH(nn.Module):
        def __init__(self, n, d, T):
            super().__init__()
            self.heads = nn.ModuleList([Head(d, d // n, T) for _ in range(n)])
            self.proj = nn.Linear(d, d)

        def forward(self, x):
            return self.proj(torch.cat([h(x) for h in self.heads], dim=-1))

    class Block(nn.Module):
        def __init__(self, d, T):
            super().__init__()
            self.sa = MH(4, d, T)
            self.ff = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d), nn.Dropout(0.1))
            self.ln1 = nn.LayerNorm(d)
            self.ln2 = nn.LayerNorm(d)

        def forward(self, x):
            x = x + self.sa(self.ln1(x))
            return x + self.ff(self.ln2(x))

    class GPT(nn.Module):
        def __init__(self, V=17, d=32, T=8):
            super().__init__()
            self.tok = nn.Embedding(V, d)
            self.pos = nn.Embedding(T, d)
            self.blocks = nn.Sequential(*[Block(d, T) for _ in range(2)])
            self.ln = nn.LayerNorm(d)
            self.head = nn.Linear(d, V)
            self.head.weight = self.tok.weight
            self.apply(self._init)

        def _init(self, m):
            if isinstance(m, nn.Linear):
                torch.nn.init.normal_(m.weight, mean=0.0, std=0.02)
                if m.bias is not None:
                    torch.nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Embedding):
                torch.nn.init.normal_(m.weight, mean=0.0, std=0.02)

        def forward(self, idx, targets=None):
            B, T = idx.shape
            x = self.tok(idx) + self.pos(torch.arange(T))
            x = self.ln(self.blocks(x))
            logits = self.head(x)
            B, T, C = logits.shape
            return logits, F.cross_entropy(logits.view(B * T, C), targets.view(B * T))

        @torch.no_grad()
        def generate(self, idx, n):
            self.eval()
            for _ in range(n):
                lo, _ = self(idx[:, -8:], idx[:, -8:])
                p = F.softmax(lo[:, -1, :], dim=-1)
                nxt = torch.multinomial(p, num_samples=1)
                idx = torch.cat((idx, nxt), dim=1)
            return idx

    m = GPT()
    data = torch.randint(17, (200,))
    opt = optim.AdamW(m.parameters(), lr=1e-2)
    out = [sum(p.numel() for p in m.parameters())]
    for _ in range(15):
        ix = torch.randint(len(data) - 8, (4,))
        x = torch.stack([data[i : i + 8] for i in ix])
        y = torch.stack([data[i + 1 : i + 9] for i in ix])
        _, loss = m(x, y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()
        out.append(loss.item())
    g = m.generate(torch.zeros((1, 1), dtype=torch.long), 5)
    return out + [float(v) for v in g[0]]


@prog
def resnet(torch, nn, F, optim):
    class Basic(nn.Module):
        expansion = 1

        def __init__(self, i, o, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(o)
            self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(o)
            self.shortcut = nn.Sequential()
            if stride != 1 or i != o:
                self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += self.shortcut(x)
            return F.relu(out)

    m = nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        Basic(8, 8),
        Basic(8, 16, 2),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
        nn.Linear(16, 10),
    )
    for mod in m.modules():
        if isinstance(mod, nn.Conv2d):
            nn.init.kaiming_normal_(mod.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(mod, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.constant_(mod.weight, 1)
            nn.init.constant_(mod.bias, 0)
    opt = optim.SGD(m.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    sch = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
    x = torch.randn(8, 3, 16, 16)
    y = torch.randint(0, 10, (8,))
    out = []
    for _ in range(6):
        opt.zero_grad()
        o = m(x)
        l = nn.CrossEntropyLoss(label_smoothing=0.1)(o, y)
        l.backward()
        opt.step()
        sch.step()
        out.append(l.item())
    m.eval()
    with torch.no_grad():
        out.append(m(x).softmax(-1).max(1)[0].sum().item())
        out.append((m(x).argmax(1) == y).float().mean().item())
    return out


@prog
def handrnn(torch, nn, F, optim):
    class RNN(nn.Module):
        def __init__(self, i, h, o):
            super().__init__()
            self.h = h
            self.i2h = nn.Linear(i + h, h)
            self.i2o = nn.Linear(i + h, o)
            self.softmax = nn.LogSoftmax(dim=1)

        def forward(self, x, h):
            c = torch.cat((x, h), 1)
            return self.softmax(self.i2o(c)), torch.tanh(self.i2h(c))

        def initHidden(self):
            return torch.zeros(1, self.h)

    r = RNN(6, 12, 3)
    crit = nn.NLLLoss()
    out = []
    for _ in range(8):
        h = r.initHidden()
        line = torch.randn(5, 1, 6)
        r.zero_grad()
        for i in range(line.size()[0]):
            o, h = r(line[i], h)
        l = crit(o, torch.tensor([1], dtype=torch.long))
        l.backward()
        for p in r.parameters():
            p.data.add_(p.grad.data, alpha=-0.1)
        out.append(l.item())
    return out


@prog
def lstm_cell_hand(torch, nn, F, optim):
    class Cell(nn.Module):
        def __init__(self, i, h):
            super().__init__()
            self.W = nn.Parameter(torch.empty(4 * h, i))
            self.U = nn.Parameter(torch.empty(4 * h, h))
            self.b = nn.Parameter(torch.zeros(4 * h))
            self.h = h
            stdv = 1.0 / math.sqrt(h)
            for w in self.parameters():
                w.data.uniform_(-stdv, stdv)

        def forward(self, x, s):
            h, c = s
            g = x @ self.W.t() + h @ self.U.t() + self.b
            i, f, o, u = g.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(u)
            return torch.sigmoid(o) * torch.tanh(c), c

    c = Cell(3, 5)
    s = (torch.zeros(2, 5), torch.zeros(2, 5))
    x = torch.randn(7, 2, 3)
    for t in x:
        s = c(t, s)
    s[0].pow(2).sum().backward()
    return [p.grad.norm().item() for p in c.parameters()]


@prog
def unet(torch, nn, F, optim):
    class Up(nn.Module):
        def __init__(self, i, o):
            super().__init__()
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.GroupNorm(2, o), nn.SiLU())

        def forward(self, a, b):
            a = self.up(a)
            dy = b.size()[2] - a.size()[2]
            dx = b.size()[3] - a.size()[3]
            a = F.pad(a, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            return self.conv(torch.cat([b, a], dim=1))

    d1 = nn.Conv2d(1, 4, 3, padding=1)
    d2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.ReLU())
    up = Up(12, 4)
    o = nn.Conv2d(4, 1, 1)
    t = nn.ConvTranspose2d(4, 2, 2, stride=2)
    x = torch.randn(2, 1, 9, 11)
    a = d1(x)
    y = o(up(d2(a), a))
    l = F.binary_cross_entropy_with_logits(y, (torch.rand_like(y) > 0.5).float()) + t(a).abs().mean()
    l.backward()
    return [l.item()] + [p.grad.abs().sum().item() for m in (d1, d2, up, o, t) for p in m.parameters()]


@prog
def features(torch, nn, F, optim):
    m = nn.Sequential()
    m.add_module("c1", nn.Conv2d(1, 2, 3))
    m.add_module("r", nn.ReLU())
    m.add_module("f", nn.Flatten())
    m.add_module("l", nn.Linear(2 * 16, 4))
    feats = {}

    def get(name):
        def hook(mod, i, o):
            feats[name] = o.detach()

        return hook

    h = m.c1.register_forward_hook(get("c1"))
    x = torch.randn(3, 1, 6, 6)
    m(x)
    h.remove()
    for n, p in m.named_parameters():
        if n.startswith("c1"):
            p.requires_grad = False
    opt = optim.SGD(filter(lambda p: p.requires_grad, m.parameters()), lr=0.1)
    l = F.multi_margin_loss(m(x), torch.tensor([0, 1, 2]))
    l.backward()
    opt.step()
    sd = m.state_dict()
    m2 = copy.deepcopy(m)
    m2.load_state_dict({k: v for k, v in sd.items() if k.startswith("l")}, strict=False)
    ema = copy.deepcopy(m)
    for a, b in zip(ema.parameters(), m.parameters()):
        a.data.mul_(0.9).add_(b.data, alpha=0.1)
    g = torch.autograd.grad(m(x).sum(), m.l.weight)[0]
    return [
        feats["c1"].sum().item(),
        l.item(),
        float(m.c1.weight.grad is None),
        ema.l.weight.sum().item(),
        g.sum().item(),
        float(len(list(m.children()))),
    ]


@prog
def double_grad(torch, nn, F, optim):
    net = nn.Sequential(nn.Linear(3, 8), nn.Softplus(), nn.Linear(8, 1))
    x = torch.randn(5, 3, requires_grad=True)
    y = net(x)
    g = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
    gp = ((g.norm(2, dim=1) - 1) ** 2).mean()
    gp.backward()
    return [gp.item()] + [0.0 if p.grad is None else p.grad.abs().sum().item() for p in net.parameters()]


@prog
def siamese(torch, nn, F, optim):
    e = nn.Sequential(nn.Linear(4, 8), nn.PReLU(), nn.Linear(8, 3))
    a, p, n = torch.randn(6, 4), torch.randn(6, 4), torch.randn(6, 4)
    l = nn.TripletMarginLoss(margin=1.0, p=2)(e(a), e(p), e(n))
    c = 1 - F.cosine_similarity(e(a), e(p)).mean()
    d = F.pairwise_distance(e(a), e(n)).mean()
    k = F.kl_div(F.log_softmax(e(a), 1), F.softmax(e(p), 1), reduction="batchmean")
    (l + c + d + k).backward()
    z = F.normalize(e(a), dim=1)
    s = z @ z.T
    return [l.item(), c.item(), d.item(), k.item(), s.sum().item()] + [
        q.grad.sum().item() for q in e.parameters()
    ]


@prog
def custom_function(torch, nn, F, optim):
    class Bin(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sign()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * (x.abs() < 1).float()

    class BinLinear(nn.Linear):
        def forward(self, x):
            return F.linear(x, Bin.apply(self.weight), self.bias)

        def extra_repr(self):
            return super().extra_repr() + ", binary"

    b = BinLinear(4, 3)
    assert repr(b) == "BinLinear(in_features=4, out_features=3, bias=True, binary)"
    y = b(torch.randn(2, 4))
    y.sum().backward()
    return [y.sum().item(), b.weight.grad.sum().item()]


@prog
def embed_bag_hand(torch, nn, F, optim):
    class N(nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings = nn.Embedding(20, 6)
            self.linear1 = nn.Linear(12, 16)
            self.linear2 = nn.Linear(16, 20)

        def forward(self, i):
            e = self.embeddings(i).view((1, -1))
            return F.log_softmax(self.linear2(F.relu(self.linear1(e))), dim=1)

    m = N()
    opt = optim.SGD(m.parameters(), lr=0.1)
    out = []
    for ep in range(3):
        t = torch.Tensor([0])
        for a, b, c in [(1, 2, 3), (4, 5, 6)]:
            m.zero_grad()
            l = nn.NLLLoss()(m(torch.tensor([a, b], dtype=torch.long)), torch.tensor([c], dtype=torch.long))
            l.backward()
            opt.step()
            t += l.data
        out.append(t.item())
    return out


@prog
def maml(torch, nn, F, optim):
    W = [
        torch.randn(8, 1, requires_grad=True),
        torch.zeros(8, requires_grad=True),
        torch.randn(1, 8, requires_grad=True),
        torch.zeros(1, requires_grad=True),
    ]

    def f(x, w):
        return F.linear(torch.tanh(F.linear(x, w[0], w[1])), w[2], w[3])

    x = torch.linspace(-1, 1, 10).unsqueeze(1)
    y = torch.sin(3 * x)
    l = F.mse_loss(f(x, W), y)
    g = torch.autograd.grad(l, W, create_graph=True)
    W2 = [w - 0.1 * q for w, q in zip(W, g)]
    l2 = F.mse_loss(f(x, W2), y)
    l2.backward()
    return [l.item(), l2.item()] + [w.grad.sum().item() for w in W]


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_program(name):
    results = []
    for lib in (reference, taeda):
        lib.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(PROGRAMS[name](lib, lib.nn, lib.nn.functional, lib.optim))
    np.testing.assert_allclose(results[1], results[0], rtol=2e-3, atol=2e-4)
