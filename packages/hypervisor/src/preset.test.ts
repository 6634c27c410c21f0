import { describe, expect, it } from 'vitest';
import { ARM_BOARD, costPreset, COST_PARAMETERS, KVM_X86, scaledPreset, type CostPreset } from './preset.js';

describe('cost presets', () => {
  it('SURVEY, KVM/x86 costs: the published cycles are the preset’s', () => {
    expect(KVM_X86).toMatchObject({
      hypercall: 1300,
      exitKernel: 2565,
      exitUser: 6732,
      exitDoorbell: 1300 + 560,
    });
  });

  it.each([ARM_BOARD, KVM_X86])('$name: exits that go further cost more', (preset) => {
    expect(preset.hypercall).toBeLessThan(preset.exitKernel);
    expect(preset.exitKernel).toBeLessThan(preset.exitUser);
    expect(preset.exitDoorbell).toBeLessThan(preset.exitUser);
    expect(costPreset(preset.name)).toBe(preset);
  });

  it('names what is missing, and what is no cost', () => {
    for (const parameter of COST_PARAMETERS) {
      const { [parameter]: _gone, ...rest } = KVM_X86;
      expect(() => costPreset({ ...rest, name: 'mine' } as CostPreset)).toThrow(`mine lacks ${parameter}`);
      expect(() => costPreset({ ...KVM_X86, name: 'mine', [parameter]: -1 })).toThrow(parameter);
    }
    expect(() => costPreset('vax')).toThrow('there is no cost preset vax; there are arm-board and kvm-x86');
    expect(() => costPreset('constructor')).toThrow('there is no cost preset constructor');
  });

  it('SURVEY: each parameter can be halved and doubled', () => {
    for (const parameter of COST_PARAMETERS) {
      for (const factor of [0.5, 2]) {
        const scaled = scaledPreset(ARM_BOARD, parameter, factor);
        expect(scaled[parameter]).toBe(ARM_BOARD[parameter] * factor);
        expect(scaled.name).toBe(`arm-board ${parameter} x${factor}`);
      }
    }
  });
});
